// Command npsetup sets up Netwrix Privilege Secure for Netwrix Auditor. See README.md.
package main

import "os"

func main() { os.Exit(start(os.Args[1:], fromProcess())) }
