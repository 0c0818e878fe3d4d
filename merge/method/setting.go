package method

// Setting is what one output asks for one tensor: a weight for each model and values for parameters.
type Setting struct {
	Output  int       // index of the output
	Weights []float64 // cᵢ, a model; nil for a weightless method
	Seed    uint64
	Names   []string // of the models, as randomness is keyed by them
	Options Options
	Numbers map[string][]float64 // of each parameter, a value or one a model
}

// Number returns a parameter's value, the same for every model.
func (s Setting) Number(name string) float64 { return s.NumberOf(name, 0) }

// NumberOf returns a parameter's value for model i.
func (s Setting) NumberOf(name string, i int) float64 {
	v := s.Numbers[name]
	switch {
	case len(v) == 0:
		panic("method: the method reads the parameter " + name + ", which it does not declare")
	case len(v) == 1:
		return v[0]
	}
	return v[i]
}

// Flag returns an option that is on or off.
func (s Setting) Flag(name string) bool { return s.Options.Flag(name) }

// Choice returns an option that is one of several words.
func (s Setting) Choice(name string) string { return s.Options.Choice(name) }

// Options are a method's parameters that are not numbers, with defaults filled in.
type Options map[string]any

// Flag returns an option that is on or off.
func (o Options) Flag(name string) bool { v, _ := o[name].(bool); return v }

// Choice returns an option that is one of several words.
func (o Options) Choice(name string) string { v, _ := o[name].(string); return v }

// Effective is λ·cᵢ, computed in float64; methods without λ have λ = 1. What float32 cannot tell from
// zero is zero, and the model is not read.
func (s Setting) Effective(i int) float64 {
	w := s.Weights[i]
	if v, ok := s.Numbers["lambda"]; ok {
		w = v[0] * w
	}
	if float32(w) == 0 {
		return 0
	}
	return w
}

// active lists the models that have a weight.
func (s Setting) active() []int {
	var out []int
	for i := range s.Weights {
		if s.Effective(i) != 0 {
			out = append(out, i)
		}
	}
	return out
}

// scaled gives the effective weights in the method's arithmetic, f32(λ·cᵢ) computed in f64.
func scaled[F Float](s Setting) []F {
	out := make([]F, len(s.Weights))
	for i := range out {
		out[i] = F(s.Effective(i))
	}
	return out
}
