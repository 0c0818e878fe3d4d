package study

import (
	"context"
	"encoding/json"
	"path"
	"path/filepath"
	"slices"

	"parfait/history"
	"parfait/merge"
	"parfait/problem"
	"parfait/yamldoc"
)

// find reads the models: a list, of which an item may be a glob that finds several, or one such item.
func (r specReader) find(n yamldoc.Node, s *Spec) {
	if !n.Present() {
		return
	}
	items := []yamldoc.Node{n}
	if !n.IsMapping() {
		items = n.List()
	}
	for _, item := range items {
		r.model(item, s)
	}
	if len(s.Models) == 0 && len(items) == 0 {
		n.Failf("expected at least one model")
	}
}

// model reads one item of the models.
func (r specReader) model(item yamldoc.Node, s *Spec) {
	var given, value, glob yamldoc.Node
	var names string
	m := ModelSpec{Range: Range{0, 1}}
	item.Fields(map[string]func(yamldoc.Node){
		"name":  func(n yamldoc.Node) { m.Name = r.name(n) },
		"path":  func(n yamldoc.Node) { m.Path = n.Text() },
		"range": func(n yamldoc.Node) { m.Range, given = r.bounds(n), n },
		"value": func(n yamldoc.Node) { value = n },
		"glob":  func(n yamldoc.Node) { glob = n },
		"names": func(n yamldoc.Node) { names = n.Text() },
	})
	if value.Present() {
		if given.Present() {
			value.Failf("the coefficient has a range too: keep the value, which fixes it, or the range, in which it is searched")
		}
		v := value.Float()
		m.Range, m.Fixed, given = Range{v, v}, true, value
	}
	found := []merge.Source{{Name: m.Name, Path: m.Path}}
	switch {
	case glob.Present() && (m.Name != "" || m.Path != ""):
		glob.Failf("a glob finds paths and names them: leave name and path out, or the glob")
		return
	case glob.Present():
		found = r.glob(glob, names, s)
	case names != "":
		item.Failf("names are of a glob: say glob: in place of path, or name:")
	case m.Name == "" || m.Path == "":
		item.Failf("a model needs a name and a path, or a glob of paths")
	}
	for _, f := range found {
		if f.Name != "" && slices.ContainsFunc(s.Models, func(o ModelSpec) bool { return o.Name == f.Name }) {
			item.Failf("the name %q is taken by an earlier model", f.Name)
		}
		if given.Present() {
			r.ranges[f.Name] = given
		}
		m.Name, m.Path = f.Name, f.Path
		s.Models = append(s.Models, m)
	}
}

// glob are the models that a glob finds. Of a study that was begun they are those that it found then: what has appeared since
// is left out and said, and what is gone is missed where it is opened.
func (r specReader) glob(n yamldoc.Node, names string, s *Spec) []merge.Source {
	pattern := n.Text()
	found, err := merge.Find(r.dir, pattern, names, s.Base)
	var out []merge.Source
	for name, was := range r.pinned {
		if ok, _ := path.Match(filepath.ToSlash(filepath.Clean(merge.Home(pattern))), filepath.ToSlash(was)); ok {
			out = append(out, merge.Source{Name: name, Path: was})
		}
	}
	if len(out) == 0 { // nothing was begun, or with another glob, which is said elsewhere
		if err != nil {
			n.Failf("%s", problem.Text(err))
		}
		return found
	}
	slices.SortFunc(out, func(a, b merge.Source) int { return merge.Numeric(a.Path, b.Path) })
	for _, f := range found {
		if !slices.ContainsFunc(out, func(o merge.Source) bool { return o.Path == f.Path }) {
			s.Appeared = append(s.Appeared, f.Path)
		}
	}
	return out
}

// pinnedModels are the paths of the models that the study in dir was begun with, by their names; nil where it was not, or
// where that cannot be read, which is said elsewhere.
func pinnedModels(dir string) map[string]string {
	st, err := openStore(dir)
	if err != nil {
		return nil
	}
	defer st.Close() //nolint:errcheck // it was read
	var id identity
	_, _ = st.Read(context.Background(), func(tx *history.Tx) error {
		meta, err := metaOf(tx)
		if err == nil && meta["identity"] != "" {
			err = json.Unmarshal([]byte(meta["identity"]), &id)
		}
		return err
	})
	return id.Models
}
