package stage

import "github.com/dustin/go-humanize"

// Bytes says a number of bytes as people do, in powers of 1000, with more digits than is usual: what is needed is
// compared with what is free.
func Bytes(n int64) string { return humanize.SIWithDigits(float64(n), 2, "B") }
