package study

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// What parfait keeps for itself in a study's folder is a plain file or folder there. Links are not followed:
// what they point to may be somebody else's, and these are overwritten and deleted from.

// notOurs says that something else stands in the place of a file or folder that parfait keeps for itself.
func notOurs(path string, fi fs.FileInfo, fix string) error {
	e := &Error{Code: CodeForeign, Where: path, Fix: fix}
	switch {
	case fi.Mode()&fs.ModeSymlink != 0:
		target, _ := os.Readlink(path)
		e.What = "is a link to " + target + ", which may be somebody else's: parfait follows no link here"
	case fi.IsDir():
		e.What = "is a folder, where a file belongs"
	case fi.Mode().IsRegular():
		e.What = "is a file, where a folder belongs"
	default:
		e.What = "is neither a file nor a folder"
	}
	return e
}

// plainFolder says why a folder of ours may not be used: it is a link, or no folder. One that is not there
// is fine.
func plainFolder(path, fix string) error {
	fi, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !fi.IsDir():
		return notOurs(path, fi, fix)
	}
	return nil
}

// signs are what only a study that has recorded something leaves in its folder beside study.db.
func signs(dir string) []string {
	var out []string
	for _, s := range [][2]string{
		{"logs", "logs/trial-*"}, {"exports", "exports/*/receipt.json"}, {"candidates", "candidates/*/trial-*"}, {lockFile, lockFile},
	} {
		if found, _ := fs.Glob(os.DirFS(dir), s[1]); len(found) > 0 {
			out = append(out, s[0])
		}
	}
	return out
}

// lost says that a history is gone, told from what else is in the study's folder; nil where nothing was
// recorded yet.
func lost(path, how string) error {
	left := signs(filepath.Dir(path))
	if len(left) == 0 {
		return nil
	}
	return &Error{
		Code: CodeHistory, Where: path,
		What: fmt.Sprintf("%s, but this study has been run: see %s", how, and(left)),
		Fix:  "put study.db back from a copy; to measure everything again, move " + and(left) + " out of the folder",
	}
}

// and lists words: a, b and c.
func and(words []string) string {
	n := len(words) - 1
	if n < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n], ", ") + " and " + words[n]
}
