// Command examples makes the studies that docs/systems.md describes, on models of handwritten digits that
// it trains on the spot:
//
//	go run ./docs/examples zoo
//	parfait run zoo/wise-ft.study --headless
//
// In goes the folder to make; out come the models, and a folder NAME.study for every NAME.yaml here. It
// knows nothing of how studies are run.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"parfait/evaluator/digits"
)

//go:embed *.yaml
var examples embed.FS

func main() {
	if len(os.Args) != 2 || strings.HasPrefix(os.Args[1], "-") {
		fmt.Fprintln(os.Stderr, "usage: go run ./docs/examples DIR\n\nmakes models and a study for each example in DIR, which must not exist or be empty")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	studies, err := write(ctx, os.Args[1])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, s := range studies {
		fmt.Println(s)
	}
}

// write makes the models and the studies, and returns the studies' folders.
func write(ctx context.Context, dir string) (studies []string, err error) {
	if err := digits.WriteZoo(ctx, dir); err != nil {
		return nil, err
	}
	names, err := examples.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		text, err := examples.ReadFile(n.Name())
		if err != nil {
			return nil, err
		}
		study := filepath.Join(dir, strings.TrimSuffix(n.Name(), path.Ext(n.Name()))+".study")
		if err := errors.Join(os.Mkdir(study, 0o755), os.WriteFile(filepath.Join(study, "study.yaml"), text, 0o644)); err != nil {
			return nil, err
		}
		studies = append(studies, study)
	}
	return studies, nil
}
