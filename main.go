// Command parfait chooses how to merge fine-tuned models: it measures merges on your own tasks, shows the
// Pareto front of what can be had, and writes the trade-off that you pick.
package main

import "parfait/cli"

func main() { cli.Main() }
