package study

import "time"

// ExportRequest says what to write and where.
type ExportRequest struct {
	X         []float64
	Name      string // names the export in the study
	Out       string // folder; "" for exports/NAME in the study
	DType     string // "" as the study says
	ShardSize int64  // bytes, 0: 5 GB
	Verify    bool   // measure the written model on validation and test
	Why       string
	Who       string
}

// ExportCost says what an export will take, before it starts.
type ExportCost struct {
	Out      string
	Bytes    int64
	Free     int64
	Estimate time.Duration // 0: unknown
	Problems []string      // reasons why it cannot be; empty when it can
	Warnings []string
}

// ExportProgress is where a running export stands.
type ExportProgress struct {
	Stage     string // "write", "check", "measure validation", "measure test", "done"
	Done      int64  // bytes, or items
	Total     int64
	Rate      float64 // a second
	Remaining time.Duration
}
