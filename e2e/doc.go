// Package e2e tests the built program from outside, with real parts: kill -9 at random moments, damaged files, errors
// that strace has the system return, a suspended writer, a full disk, a second runner, evaluators in Python, numpy as
// a second opinion on what was written, and tmux as the terminal of a person.
//
// The tests need the build tag e2e (go test -tags e2e ./e2e); .ci/run installs what they stand on. A part
// that is missing skips its test on a laptop and fails it where CI=true is set. With PARFAIT_LONG set there is much more
// of what breaks studies: see .ci/long.
package e2e
