//go:build full

package main

const faultStep = 1
