// Command kiam-peer is the other half of a cluster that moves from kiam: it talks as kiam 4.2 does, with the library
// that kiam is built on, set up in the same way. It decides nothing: what it answers and asks is given to it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kiam-peer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "serve":
			return serve(args[1:])
		case "call":
			return call(args[1:])
		}
	}
	return fmt.Errorf("usage: kiam-peer serve|call FLAGS")
}

var output sync.Mutex

// emit writes what happened, as one line of JSON.
func emit(event any) {
	output.Lock()
	defer output.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(event)
}
