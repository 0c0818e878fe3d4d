package stage

import (
	"path/filepath"
	"runtime"
	"testing"
)

func TestFileSystemOf(t *testing.T) {
	t.Parallel()
	fs, err := FileSystemOf(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if fs.Name == "" {
		t.Error("the file system of the temporary folder has no name")
	}
	if _, err := FileSystemOf(filepath.Join(t.TempDir(), "nowhere")); err == nil && (runtime.GOOS == "linux" || runtime.GOOS == "darwin") {
		t.Error("what is not there lies on a file system")
	}
	if runtime.GOOS != "linux" {
		return
	}
	// /proc is no place for a study, and in no list: what is not known is not local.
	if fs, err := FileSystemOf("/proc"); err != nil || fs.Local || fs.Name != "file system 0x9fa0" {
		t.Errorf("/proc: %+v, %v; want a file system 0x9fa0 that is not local", fs, err)
	}
}
