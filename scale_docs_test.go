package main

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var assumption = regexp.MustCompile(`(?m)^\| ([A-Za-z]) \| [^|]+ \| ([0-9.,]+) \| ([0-9.,]+) \|$`)

// TestScale works the table of docs/scale.md out anew, from what is assumed there and the formulas.
func TestScale(t *testing.T) {
	b, err := os.ReadFile("docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	var of [2]map[string]float64
	for i := range of {
		of[i] = map[string]float64{}
		for _, m := range assumption.FindAllStringSubmatch(text, -1) {
			v, err := strconv.ParseFloat(strings.ReplaceAll(m[2+i], ",", ""), 64)
			if err != nil || v <= 0 {
				t.Fatalf("docs/scale.md: %s is assumed to be %q", m[1], m[2+i])
			}
			of[i][m[1]] = v
		}
		if len(of[i]) != 12 {
			t.Fatalf("docs/scale.md assumes %d quantities, want 12: %v", len(of[i]), of[i])
		}
	}
	ways := []struct {
		name string
		// seconds that a trial takes, and GB that it has the disk write
		trial func(B, K, A, r, w, p, l, s, e float64) (seconds, written float64)
	}{
		{"a folder on disk, a process a trial", func(B, K, _, r, w, _, l, s, e float64) (float64, float64) {
			return max((K+1)*B/r, B/w) + s + B/l + e, B
		}},
		{"a folder in memory (tmpfs), a process a trial", func(B, K, _, r, _, _, l, s, e float64) (float64, float64) {
			return (K+1)*B/r + s + B/l + e, 0
		}},
		{"`parfait worker vllm`, a folder on disk", func(B, K, _, r, w, _, l, _, e float64) (float64, float64) {
			return max((K+1)*B/r, B/w) + B/l + e, B
		}},
		{"`parfait worker python`, merged in memory", func(B, K, _, _, _, p, _, _, e float64) (float64, float64) {
			return (K+1)*B/p + e, 0
		}},
		{"`form: adapter`, `parfait worker vllm`", func(_, _, A, _, w, _, l, _, e float64) (float64, float64) {
			return A/w + A/l + e, A
		}},
		{"`parfait worker python`, 250 items", func(B, K, _, _, _, p, _, _, e float64) (float64, float64) {
			return (K+1)*B/p + e*250/2000, 0
		}},
	}
	for _, way := range ways {
		line := "| " + way.name + " |"
		for _, q := range of {
			seconds, written := way.trial(q["B"], q["K"], q["A"], q["r"], q["w"], q["p"], q["l"], q["s"], q["e"])
			hours := max(q["N"]/q["S"]*seconds, q["N"]*written/q["w"]) / 3600
			line += fmt.Sprintf(" %.0f s | %.1f | %s | %s |", seconds, hours, thousands(hours*q["S"]*q["G"]), gigabytes(q["N"]*written))
		}
		if !strings.Contains(text, line+"\n") {
			t.Errorf("docs/scale.md should have the line\n%s", line)
		}
	}
}

func thousands(v float64) string {
	if v < 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%d,%03d", int(v)/1000, int(math.Round(v))%1000)
}

func gigabytes(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 1000:
		return fmt.Sprintf("%.0f GB", v)
	}
	return fmt.Sprintf("%.1f TB", v/1000)
}
