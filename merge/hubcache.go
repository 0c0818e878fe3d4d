package merge

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"parfait/merge/codes"
	"parfait/problem"
)

// locate finds what a path of a spec means: a file or folder, or else a model of the hub in the local
// cache, as owner/name or owner/name@revision. Nothing is ever downloaded.
func locate(path string) (string, error) {
	_, err := os.Stat(path)
	if err == nil {
		return path, nil
	}
	if !hubID(path) {
		return "", Problem{Code: codes.Open, Where: path, What: reason(err), Expected: "a folder with safetensors files, a .safetensors file, or a model of the hub (owner/name) in the local cache", Fix: orNear(path, "check the path")}
	}
	id, revision, given := strings.Cut(path, "@")
	if !given {
		revision = "main"
	}
	get := "hf download " + id
	if given {
		get += " --revision " + revision
	}
	dir := filepath.Join(hubCache(), "models--"+strings.ReplaceAll(id, "/", "--"))
	if _, err := os.Stat(dir); err != nil {
		return "", Problem{Code: codes.Open, Where: path, What: fmt.Sprintf("there is no such file, and the hub's cache %s has no model of that name", hubCache()), Expected: "a path, or a model that was downloaded", Fix: orNear(path, "run: "+get)}
	}
	commit := revision
	if ref, err := os.ReadFile(filepath.Join(dir, "refs", filepath.FromSlash(revision))); err == nil && filepath.IsLocal(revision) {
		commit = strings.TrimSpace(string(ref))
	}
	snapshot := filepath.Join(dir, "snapshots", commit)
	if info, err := os.Stat(snapshot); err != nil || !info.IsDir() || !filepath.IsLocal(commit) {
		return "", Problem{Code: codes.Open, Where: path, What: fmt.Sprintf("the hub's cache has the model without the revision %s", revision), Expected: "a revision that was downloaded", Fix: "run: " + get}
	}
	return snapshot, nil
}

// orNear is what to do where a path does not exist: see whether what stands beside it was meant, or else.
func orNear(path, what string) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return what
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	if near := problem.Nearest(filepath.Base(path), names); near != "" {
		near = filepath.Join(filepath.Dir(path), near)
		return problem.Meant(path, []string{near}) + " Otherwise " + what
	}
	return what
}

// hubCache is where the hub's own tools keep models.
func hubCache() string {
	if dir := os.Getenv("HF_HUB_CACHE"); dir != "" {
		return dir
	}
	if dir := os.Getenv("HF_HOME"); dir != "" {
		return filepath.Join(dir, "hub")
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "huggingface", "hub")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(".cache", "huggingface", "hub")
	}
	return filepath.Join(home, ".cache", "huggingface", "hub")
}
