package study

import (
	"errors"
	"io/fs"
	"os"

	"parfait/history"
)

// What parfait keeps for itself in a study's folder is a plain file or folder there. Links are not followed:
// what they point to may be somebody else's, and these are overwritten and deleted from.

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
		return history.NotOurs(path, fi, fix)
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
