//go:build linux || darwin

package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Interpreter says what is wrong with the first line of a script: the program that it wants is not there, or the line
// ends as Windows ends lines, so that another is looked for. Nil for everything else. A name that env looks for is looked
// for in $PATH unless ownPath is set.
func Interpreter(path string, ownPath bool) error {
	line := firstLine(path)
	if !strings.HasPrefix(line, "#!") {
		return nil
	}
	name := filepath.Base(path)
	if strings.HasSuffix(line, "\r") {
		return fmt.Errorf("the lines of %s end with CR LF, as on Windows, so that the system looks for an interpreter %q: convert them (sed -i 's/\\r$//' %s)", name, lastWord(line), name)
	}
	words := strings.Fields(line[2:])
	if len(words) == 0 {
		return nil
	}
	if _, err := os.Stat(words[0]); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s wants the interpreter %s, which is not there: change its first line, or install it", name, words[0])
	}
	if filepath.Base(words[0]) != "env" || ownPath {
		return nil
	}
	for _, w := range words[1:] {
		if strings.HasPrefix(w, "-") || strings.Contains(w, "=") {
			continue
		}
		if _, err := exec.LookPath(w); errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("%s wants the interpreter %s, which is not in $PATH: change its first line, or install it", name, w)
		}
		break
	}
	return nil
}

// firstLine is the first line of a file, as much of it as a system looks at.
func firstLine(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() { // a pipe would be waited for
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	line, _ := bufio.NewReaderSize(f, 256).ReadSlice('\n')
	return strings.TrimSuffix(string(line), "\n")
}

func lastWord(line string) string {
	line = strings.TrimRight(line, " \t")
	return line[strings.LastIndexAny(line, " !/")+1:]
}
