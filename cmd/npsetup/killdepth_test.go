//go:build !full

package main

// roadStops is how many of the places at which a road can be stopped are left out between two that are tried. make test-full tries
// all of them: each derives keys from passphrases several times, which takes seconds where races are looked for.
const roadStops = 4
