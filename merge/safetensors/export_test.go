package safetensors

// Codes lists the codes of all format errors within err, in order.
func Codes(err error) []Code {
	var codes []Code
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) { //nolint:errorlint // it walks the tree itself
		case *FormatError:
			codes = append(codes, e.Code)
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				walk(inner)
			}
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		}
	}
	walk(err)
	return codes
}
