//go:build linux || darwin

package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Program is what is to be run, and where.
type Program struct {
	Name    string // as it is written: a name, or a path with a slash
	Dir     string // the working directory, "": this process's
	OwnPath bool   // it will run with another $PATH, so that a name cannot be looked for here
}

// Find says clearly what is not there, before anything is started.
func (p Program) Find() error {
	dir, err := filepath.Abs(p.Dir)
	if err != nil {
		return err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("the working directory %s is not there: set the option dir to a folder that is", dir)
	}
	path := p.Name
	if strings.ContainsRune(path, '/') {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
	} else if p.OwnPath {
		return nil
	}
	var failed *exec.Error
	found, err := exec.LookPath(path)
	if errors.As(err, &failed) && !errors.Is(err, exec.ErrDot) {
		if info, err := os.Stat(path); errors.Is(failed.Err, fs.ErrPermission) && err == nil && info.Mode().IsRegular() {
			return fmt.Errorf("the program %s may not be executed: chmod +x %s, or name the interpreter before it", p.Name, path)
		}
		return fmt.Errorf("the program %s cannot be run: %w; expected a program in $PATH, or a path from the folder %s", p.Name, failed.Err, dir)
	}
	return Interpreter(found, p.OwnPath)
}
