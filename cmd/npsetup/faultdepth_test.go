//go:build !full

package main

// faultStep leaves out all but every 23rd attempt of the table of faults. 23 and the number of blows have no common divisor, so that
// every blow and every operation has its turn.
const faultStep = 23
