// Command bare prints one line: what a Go program costs at the least.
package main

import "fmt"

func main() { fmt.Println("bare dev") }
