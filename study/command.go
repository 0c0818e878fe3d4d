package study

// CommandKind names what a viewer asks of the runner.
type CommandKind string

// Commands.
const (
	CommandEvaluate CommandKind = "evaluate" // measure X next
	CommandPause    CommandKind = "pause"
	CommandResume   CommandKind = "resume"
	CommandBudget   CommandKind = "budget" // set the number of trials to N
	CommandRetry    CommandKind = "retry"  // a new attempt of the failed trial N
	CommandForget   CommandKind = "forget" // cancel the trial N that is waiting or failed
	CommandStop     CommandKind = "stop"   // end the runner after what is running now
)

// Command is a durable request to the runner. It is obeyed when a runner is alive, now or later.
type Command struct {
	Kind CommandKind
	X    []float64
	N    int
	Who  string
}
