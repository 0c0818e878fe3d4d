package evaluator

// Option documents one option of a kind of evaluator, as study.yaml has it. The texts are Markdown.
type Option struct {
	Key     string
	Means   string
	Without string // what holds where it is not given
}
