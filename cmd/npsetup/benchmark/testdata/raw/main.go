// Command raw writes only the cells that change: a lower bound for the benchmark. raw input, raw choose ENTRY..., raw spin.
package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/term"
)

const (
	columns = 76 // of the text field
	rows    = 17 // of the list
)

func main() {
	before, err := term.MakeRaw(int(os.Stdin.Fd()))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer func() { _ = term.Restore(int(os.Stdin.Fd()), before) }()
	switch os.Args[1] {
	case "input":
		input()
	case "choose":
		choose(os.Args[2:])
	case "spin":
		spin()
	}
}

func write(text string) { _, _ = os.Stdout.WriteString(text) }

// keys gives what is typed, byte by byte, until ctrl+c or the end.
func keys(take func(c byte)) {
	one := make([]byte, 1)
	for {
		if n, err := os.Stdin.Read(one); err != nil || n == 0 || one[0] == 3 {
			return
		}
		take(one[0])
	}
}

func input() {
	write("\x1b[H\x1b[2JName\r\n> ")
	at := 0
	keys(func(c byte) {
		switch {
		case c == 21: // ctrl+u
			at = 0
			write("\x1b[3G\x1b[K")
		case at < columns:
			at++
			write(string(rune(c)))
		default:
			write("\x1b[3G\x1b[P\x1b[78G" + string(rune(c)))
		}
	})
}

func choose(entries []string) {
	page := func(from int) {
		write("\x1b[H\x1b[2J")
		for i, e := range entries[from:min(from+rows, len(entries))] {
			write(fmt.Sprintf("\x1b[%d;3H%s", i+1, e))
		}
		write("\x1b[H>")
	}
	page(0)
	at := 0
	keys(func(c byte) {
		switch {
		case c == 'H': // the last byte of the key home
			at = 0
			page(0)
		case c != 'B' || at+1 >= len(entries): // the last byte of the key down
		case (at+1)%rows == 0:
			at++
			page(at)
		default:
			at++
			write("\b \n\b>")
		}
	})
}

func spin() {
	write("\x1b[H\x1b[2J| waiting\r")
	for i := 1; ; i++ {
		time.Sleep(250 * time.Millisecond)
		write(`|/-\`[i%4:i%4+1] + "\b")
	}
}
