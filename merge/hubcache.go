package merge

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"parfait/merge/codes"
	"parfait/problem"
)

var hubPattern = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?$`)

// HubID says whether a path may be a model of the hub: owner/name, or owner/name@revision, or a name without an owner that
// the local cache has.
func HubID(path string) bool {
	if strings.HasSuffix(path, ".safetensors") {
		return false
	}
	if hubPattern.MatchString(path) {
		return true
	}
	id, _, _ := strings.Cut(path, "@")
	if strings.ContainsAny(id, "/\\") || id == "" || strings.HasPrefix(id, ".") {
		return false
	}
	_, err := os.Stat(cacheFolder(id))
	return err == nil
}

// cacheFolder is where the cache has a model.
func cacheFolder(id string) string {
	return filepath.Join(hubCache(), "models--"+strings.ReplaceAll(id, "/", "--"))
}

// locate finds what a path of a spec means: a file or folder, or else a model of the hub in the local
// cache, as owner/name or owner/name@revision. Nothing is ever downloaded.
func locate(path string) (string, error) {
	_, err := os.Stat(path)
	if err == nil {
		return path, nil
	}
	if !HubID(path) {
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
	dir := cacheFolder(id)
	if _, err := os.Stat(dir); err != nil {
		return "", Problem{Code: codes.Open, Where: path, What: fmt.Sprintf("there is no such file, and the hub's cache %s has no model of that name", hubCache()), Expected: "a path, or a model that was downloaded", Fix: orNear(path, "run: "+get)}
	}
	commit := wholeCommit(filepath.Join(dir, "snapshots"), revision)
	if ref, err := os.ReadFile(filepath.Join(dir, "refs", filepath.FromSlash(revision))); err == nil && filepath.IsLocal(revision) {
		commit = strings.TrimSpace(string(ref))
	}
	snapshot := filepath.Join(dir, "snapshots", commit)
	if info, err := os.Stat(snapshot); err != nil || !info.IsDir() || !filepath.IsLocal(commit) {
		return "", Problem{Code: codes.Open, Where: path, What: fmt.Sprintf("the hub's cache has the model without the revision %s", revision), Expected: "a revision that was downloaded", Fix: "run: " + get}
	}
	return snapshot, nil
}

// hubName is owner/name@commit for a model in the hub's local cache, under which it is found everywhere, and "" for others.
func hubName(path string) string {
	path = absolute(path)
	rel, err := filepath.Rel(absolute(hubCache()), path)
	parts := strings.Split(filepath.ToSlash(rel), "/")
	if err != nil || len(parts) != 3 || parts[1] != "snapshots" {
		return ""
	}
	folder, ok := strings.CutPrefix(parts[0], "models--")
	id := strings.Replace(folder, "--", "/", 1) + "@" + parts[2]
	if found, err := locate(id); !ok || err != nil || absolute(found) != path {
		return ""
	}
	return id
}

// HubModel is what the hub calls the model at a path of a spec, owner/name, and "" where that is not known.
func HubModel(path string) string {
	name := path
	if found, err := locate(path); err == nil {
		name = hubName(found)
	} else if !HubID(path) {
		return ""
	}
	id, _, _ := strings.Cut(name, "@")
	return id
}

// wholeCommit is the only downloaded commit that begins as a revision does, or the revision.
func wholeCommit(snapshots, revision string) string {
	entries, err := os.ReadDir(snapshots)
	if err != nil || len(revision) < 7 {
		return revision
	}
	found := revision
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), revision) {
			if found != revision {
				return revision
			}
			found = e.Name()
		}
	}
	return found
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
	for _, place := range []struct{ variable, below string }{{"HF_HUB_CACHE", ""}, {"HUGGINGFACE_HUB_CACHE", ""}, {"HF_HOME", "hub"}, {"XDG_CACHE_HOME", "huggingface/hub"}} {
		if dir := os.Getenv(place.variable); dir != "" {
			return filepath.Join(expanded(dir), place.below)
		}
	}
	return expanded("~/.cache/huggingface/hub")
}

// expanded is a path as the hub's library takes it: ~ is the home folder, and $NAME a variable.
func expanded(path string) string {
	path = os.ExpandEnv(path)
	if rest, ok := strings.CutPrefix(path, "~/"); ok || path == "~" {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}
