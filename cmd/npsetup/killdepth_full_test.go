//go:build full

package main

const roadStops = 0
