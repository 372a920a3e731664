// Package record is the binary form of a stored call, for the stores that leave the memory
// of the process: a file and Redis. Each record carries a checksum over its key and content.
package record
