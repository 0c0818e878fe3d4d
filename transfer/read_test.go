package transfer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parfait/evaluator"
	"parfait/explore/exploretest"
	"parfait/problem"
	"parfait/search"
	"parfait/study"
	"parfait/surrogate"
	"parfait/transfer"
)

// small is a study whose coefficients a, b and density, and tasks t (a rate) and l (a loss), have names of all kinds:
// there is a model t, too.
func small() *study.Snapshot {
	s := &study.Snapshot{Name: "small", Spec: &study.Spec{Method: study.MethodSpec{Name: "ties"}}}
	for _, name := range []string{"a", "t"} {
		s.Space.Coefficients = append(s.Space.Coefficients, search.Coefficient{Name: name, Hi: 1, Kind: search.Scaling, Model: name})
	}
	s.Space.Coefficients = append(s.Space.Coefficients, search.Coefficient{Name: "density", Lo: 0.1, Hi: 0.9, Kind: search.Parameter})
	s.Tasks = []study.Task{
		{Name: "t", Role: study.Objective, Unit: "rate", Sense: study.Maximize, Link: surrogate.Logit},
		{Name: "l", Role: study.Objective, Unit: "loss", Sense: study.Minimize, Link: surrogate.Log},
	}
	return s
}

// said is a trial in short: 3 0.5 0.2|t=0.62±0.01/450.
func said(m study.Measured) string {
	text := strings.Trim(fmt.Sprint(m.X), "[]")
	if m.State != "" {
		text += " " + string(m.State)
	}
	for _, one := range m.Measurements {
		text += "|"
		if one.Split == evaluator.Test {
			text += "test "
		}
		var parts []string
		for task, v := range one.Metrics {
			part := fmt.Sprintf("%s=%v", task, v.Value)
			if v.Stderr != 0 {
				part += fmt.Sprintf("±%v", v.Stderr)
			}
			if v.N != 0 {
				part += fmt.Sprintf("/%d", v.N)
			}
			parts = append(parts, part)
		}
		slices.Sort(parts)
		text += strings.Join(parts, " ")
	}
	return text
}

// What people, spreadsheets and other programs write is read.
func TestRead(t *testing.T) {
	for _, c := range []struct{ name, file, as, want string }{
		{"plain", "c.a,c.t,density,t,l\n0.5,1,.2,0.62,3.5\n", "", "0.5 1 0.2|l=3.5 t=0.62"},
		{"in any order, with how sure it is", "t_n,t,t_stderr,density,c.t,a\n450,0.62,0.01,0.2,1,0.5\n", "", "0.5 1 0.2|t=0.62±0.01/450"},
		{"of Excel", "\ufeff\"c.a\";\"c.t\";\"density\";\"t\";\"t_stderr\"\r\n0,5;1;0,2;\"61,3%\";1,2 %\r\n;;;;\r\n", "", "0.5 1 0.2|t=0.613±0.012"},
		{"of Excel, which says so", "sep=;\r\nc.a;c.t;density;t\r\n0.5;1;0,2;1\r\n", "", "0.5 1 0.2|t=1"},
		{"pasted", "c.a\tc.t\tdensity\tt\tl\n0.5\t1\t0.2\t\t3\n", "", "0.5 1 0.2|l=3"},
		{"of pandas", ",c.a,c.t,density,t,t_n,l\n0,0.5,1,0.2,0.62,450.0,NaN\n1,0,0,0.2,,,\n", "", "0.5 1 0.2|t=0.62/450\n0 0 0.2"},
		{"percent of a coefficient", "c.a,c.t,density,t\n50%,100%,20%,0.1\n", "", "0.5 1 0.2|t=0.1"},
		{"two rows of a point", "c.a,c.t,density,t\n1,1,.2,.1\n1,1,.2,.3\n", "", "1 1 0.2|t=0.1|t=0.3"},
		{"two trials at a point", "id,c.a,c.t,density,t\n1,1,1,.2,.1\n2,1,1,.2,.3\n1,1,1,.2,.2\n", "", "1 1 0.2|t=0.1|t=0.2\n1 1 0.2|t=0.3"},
		{"states", "state,c.a,c.t,density,t,error\nfailed,1,1,.2,,no\nDONE,1,1,.2,.3,\n", "", "1 1 0.2 failed\n1 1 0.2 done|t=0.3"},
		{"splits", "split,c.a,c.t,density,t\ntest,1,1,.2,.1\nvalidation,1,1,.2,.3\n", "", "1 1 0.2|test t=0.1|t=0.3"},
		{
			"of Optuna", "number,values_0,values_l,datetime_start,duration,params_a,params_t,params_density,user_attrs_t_n,user_attrs_x,system_attrs_y,state\n" +
				"0,0.5,3,2026-11-30 18:08:11.268256,0 days 00:00:01,1,1,0.2,450,1,2,COMPLETE\n1,,,2026-11-30 18:08:11,,1,0,0.2,,,,FAIL\n",
			"values_0=t", "1 1 0.2 done|l=3 t=0.5/450\n1 0 0.2 failed",
		},
		{"neither coefficients nor figures", "number,c.a,c.t,density,t,state\n1,1,1,.2,.5,COMPLETE\n2,,,,,WAITING\n3,,,,,WAITING\n", "", "1 1 0.2 done|t=0.5\n waiting\n waiting"},
		{"renamed and left out", "x,c.t,density,score,notes\n1,1,.2,.5,good\n", "x=c.a, score=t, notes=", "1 1 0.2|t=0.5"},
		{"more cells than names, all empty", "c.a,c.t,density,t\n1,1,.2,.5,,\n", "", "1 1 0.2|t=0.5"},
		{"a name less, and a cell less", "c.a,c.t,density,t,\n1,1,.2,.5\n", "", "1 1 0.2|t=0.5"},
		{"JSON", `{"coefficients": {"a": 1, "t": 0.5, "density": 0.2}, "metrics": {"t": 0.62, "l": {"value": 3, "stderr": 0.1, "n": 20}}}` + "\n", "", "1 0.5 0.2|l=3±0.1/20 t=0.62"},
		{"flat JSON in an array", `[{"c.a": 1, "c.t": 0.5, "density": 0.2, "t": 0.62, "l": null}, {"c.a": "1", "c.t": 1, "density": 0.2}]`, "", "1 0.5 0.2|t=0.62\n1 1 0.2"},
		{"measurements", `{"coefficients": {"a": 1, "t": 0.5, "density": 0.2}, "metrics": {"t": {"value": 0.5}}, "measurements": [{"attempt": 1, "split": "validation", "at": "2026-11-30T18:08:11Z", "metrics": {"t": {"value": 0.4}, "gone": {"value": 7}}}, {"attempt": 2, "split": "validation", "at": "2026-11-30T18:08:11Z", "metrics": {"t": {"value": 0.6}}}]}`, "", "1 0.5 0.2|gone=7 t=0.4|t=0.6"},
		{"what trials --json prints", `{"study": "/x", "trials": [{"id": 3, "progress": {"done": 1}, "coefficients": {"a": 1, "t": 0.5, "density": 0.2}, "metrics": {"t": {"value": 0.5, "stderr": null, "n": null}}}]}`, "", "1 0.5 0.2|t=0.5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := read(t, small(), c.file, c.as)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, m := range got {
				lines = append(lines, said(m))
			}
			if text := strings.Join(lines, "\n"); text != c.want {
				t.Errorf("read\n%s\nwant\n%s", text, c.want)
			}
		})
	}
}

func read(t *testing.T, s *study.Snapshot, file, as string) ([]study.Measured, error) {
	t.Helper()
	var mapping map[string]string
	if as != "" {
		var err error
		if mapping, err = transfer.ParseMapping(as); err != nil {
			t.Fatal(err)
		}
	}
	return transfer.Read("f", []byte(file), mapping, s)
}

// What is wrong is said with its line and column, all of it at once.
func TestReadSaysWhatIsWrong(t *testing.T) {
	const head = "c.a,c.t,density,t,l\n"
	for _, c := range []struct {
		name, file, as string
		want           []string
	}{
		{"cells", head + "1,1,.2,61.2,-1\n\"0,5\",x,inf,1e999,1\n1,,.2,5%%,\n1,1,.2,.5,3%\n", "", []string{
			`f:2, t: found "61.2"; expected a share from 0 to 1, such as 0.62 or 62%`,
			`f:3, c.a: found "0,5"; expected a number with a decimal point`, `f:3, c.t: found "x"; expected a number such as`, `f:3, density: found "inf"; expected a finite`, `f:3, t: found "1e999"; expected a number`,
			`f:4, t: found "5%%"`, `f:4: no value for c.t; expected one for each coefficient, 0 for`, `f:5, l: found "3%"; expected a number without %`,
		}},
		{"how sure it is", "c.a,c.t,density,t,t_stderr,t_n,l_n\n1,1,.2,.5,-1,4.5,3\n", "", []string{`f:2, t_stderr: found "-1"; expected 0 or more`, `f:2, t_n: found "4.5"; expected a whole number`, `f:2, l_n: says how sure the figure of l is, and there is no figure`}},
		{"words", "state,split,started,attempt,c.a,c.t,density,t\nok,train,yesterday,-1,1,1,.2,.5\n", "", []string{`state: found "ok"; expected done, failed`, `split: found "train"; expected validation or test`, `started: found "yesterday"; expected a time such as`, `attempt: found "-1"`}},
		{"columns", "c.a,dnsity,t,tt,notes,y2026\n1,1,.2,.5,3,4\n", "", []string{
			`f:1, column 2: unknown column "dnsity"; did you mean "density"? Else say what it is (--as 'dnsity=NAME'), or leave it out (--as 'dnsity=')`,
			`f:1, column 4: unknown column "tt"`, `f:1, column 5: unknown column "notes"; expected one of id, state`, `unknown column "y2026"; say what`, `f:1: no column for c.t and c.density; expected one for each coefficient, with 0 for a model that is left out; there are tasks of these names: call the coefficients c.t`,
		}},
		{"twice", "c.a,a,c.t,density,t\n1,1,1,.2,.5\n", "", []string{`f:1: c.a and a are both c.a; leave one out: --as 'a='`}},
		{"a mapping", head + "1,1,.2,.5,3\n", "t=tt,zz=t", []string{`--as t=tt: unknown column "tt"`}},
		{"a mapping of nothing", head + "1,1,.2,.5,3\n", "zz=t", []string{`--as: the file has no column "zz"`}},
		{"cells too many", head + "1,1,.2,.5,3,4\n", "", []string{`f:2: has 6 cells, and the header 5; a cell with a comma in it needs quotes`}},
		{"cells too few", head + "1,1,.2,.5\n1,1,.2,.5,\n", "", []string{`f:2: has 4 cells, and the header 5; it is cut short`}},
		{"figures of no point", head + ",,,.5,\n", "", []string{`f:2: no value for c.a, c.t and c.density`}},
		{"a quote", head + "\"a\"b\",1\n", "", []string{`f:2: cannot be read on from column`}},
		{"an id of two", "id,c.a,c.t,density,t\n1,1,1,.2,.1\n1,1,0,.2,.3\n", "", []string{`f:3: the trial 1 has other coefficients than in f:2`}},
		{"nothing", " \n", "", []string{`f: is empty`}},
		{"no rows", head, "", []string{`f: has a header and no rows`}},
		{"a spreadsheet", "PK\x03\x04…", "", []string{`f: is a spreadsheet; expected CSV or JSON; save the sheet as CSV`}},
		{"UTF-16", "\xff\xfec\x00", "", []string{`f: is UTF-16`}},
		{"Latin 1", head + "1,1,.2,.5,3\n\xe4", "", []string{`f:3: is not UTF-8`}},
		{"a database", "SQLite format 3\x00", "", []string{`f: is a database`}},
		{"JSON", `{"coefficients": {"a": 1, "other": 2, "t": [1]}, "metrics": {"t": {"valu": 3}, "tt": 1, "l": "many"}, "mesurements": [], "measurements": [{"split": "all", "metrics": {}}]}` + "\n\n7\n" + `{"metrics": 3}` + "\n{\"a\": NaN}", "", []string{
			`f:1, coefficients.other: unknown coefficient "other"; expected one of a, t, density`, `f:1, coefficients.t: found [1]; expected a number or a text`, `f:1, metrics.t: unknown part of a metric "valu"`, `f:1, metrics.tt: unknown task "tt"`,
			`f:1, metrics.l: found "many"`, `f:1, measurements.0: found the split "all"`, `f:1, measurements.0: has no metrics`,
			`f:3: found 7; expected an object`, `f:4, metrics: found 3; expected an object`, `f:5: cannot be read: invalid character 'N' looking for beginning of value (NaN is no JSON: write null)`,
		}},
		{"another question", `{"study": "x", "method": "linear", "tasks": [{"name": "t", "sense": "minimize", "unit": "rate"}, {"name": "gone", "sense": "minimize"}]}`, "", []string{`f:1: these trials are merges by linear; expected ties`, `f:1: t is minimized (unit rate) there; expected maximized (unit rate), as study.yaml says`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(t, small(), c.file, c.as)
			if !errors.Is(err, transfer.BadFile) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nwant %s", err, want)
				}
			}
		})
	}
	if _, err := transfer.ParseMapping("a=b,c"); problem.CodeOf(err) != study.CodeInput {
		t.Errorf("%v, want that c is no COLUMN=NAME", err)
	}
}

// Proportions are brought to their sum, and what stands for no merge is told.
func TestReadProportions(t *testing.T) {
	s := small()
	s.Space.Simplex = [][]int{{0, 1}}
	got, err := read(t, s, "c.a,c.t,density,t\n1,3,.2,.5\n", "")
	if err != nil || said(got[0]) != "0.25 0.75 0.2|t=0.5" {
		t.Errorf("read %v, %v; want .25 and .75", got, err)
	}
	if _, err := read(t, s, "c.a,c.t,density,t\n0,0,.2,.5\n", ""); err == nil || !strings.Contains(err.Error(), "f:2: a, t are all 0") {
		t.Errorf("%v, want that they are all 0", err)
	}
}

// What is written is what is read: the same figures at the same points, from CSV and from JSON.
func TestWhatIsWrittenIsRead(t *testing.T) {
	s := exploretest.Snapshot(exploretest.Options{Trials: 12, Running: 1, Failed: []int{5}, Minimize: true})
	var text bytes.Buffer
	if err := transfer.CSV(&text, s); err != nil {
		t.Fatal(err)
	}
	got, err := transfer.Read("f", text.Bytes(), nil, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(s.Trials) {
		t.Fatalf("%d trials were read of %d", len(got), len(s.Trials))
	}
	for i, m := range got {
		want := s.Trials[i]
		if !slices.Equal(m.X, want.X) || m.State != want.State || m.Error != want.Error || !m.Started.Equal(want.Started) {
			t.Errorf("trial %d was read as %+v, want %+v", want.ID, m, want)
		}
		for task, v := range want.Metrics {
			if m.Measurements[0].Metrics[task] != v {
				t.Errorf("trial %d: %s was read as %+v, want %+v", want.ID, task, m.Measurements[0].Metrics[task], v)
			}
		}
	}
	header, err := json.Marshal(transfer.HeaderOf(s))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Read("f", header, nil, s); err != nil {
		t.Errorf("the header is refused by its own study: %v", err)
	}
}

// Tasks may be called as other columns are: they have m. in front then, and everything else stays what it is.
func TestColumnsHaveOneMeaning(t *testing.T) {
	s := small()
	s.Tasks = nil
	for _, name := range []string{"id", "x", "x_n", "number"} {
		s.Tasks = append(s.Tasks, study.Task{Name: name, Role: study.Objective, Sense: study.Maximize})
	}
	var text bytes.Buffer
	if err := transfer.CSV(&text, s); err != nil {
		t.Fatal(err)
	}
	header := strings.Split(strings.TrimSpace(text.String()), ",")
	for i, name := range header {
		if slices.Contains(header[:i], name) {
			t.Errorf("two columns are called %s", name)
		}
	}
	for _, want := range []string{"m.id", "m.id_stderr", "m.x", "m.x_n", "x_n", "x_n_n", "m.number", "c.a"} {
		if !slices.Contains(header, want) {
			t.Errorf("no column is called %s in %v", want, header)
		}
	}
	got, err := read(t, s, "c.a,c.t,density,m.id,id,m.x,m.x_n,x_n,m.number\n1,1,.2,7,12,5,100,6,3\n", "")
	if err != nil || said(got[0]) != "1 1 0.2|id=7 number=3 x=5/100 x_n=6" {
		t.Errorf("read %v, %v", got, err)
	}
}

// FuzzRead holds that no file makes it panic.
func FuzzRead(f *testing.F) {
	f.Add([]byte("c.a,c.t,density,t\n1,1,.2,.5\n"))
	f.Add([]byte(`{"coefficients": {"a": 1}, "measurements": [{"metrics": {}}]}`))
	f.Add([]byte("sep=;\nc.a;\"c.t\n"))
	f.Add([]byte("[[[{}]]]"))
	s := small()
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := transfer.Read("f", text, nil, s)
		if err == nil {
			for _, m := range got {
				if m.X != nil && len(m.X) != 3 {
					t.Errorf("a trial of %d coefficients, want 3 or none", len(m.X))
				}
			}
		}
	})
}
