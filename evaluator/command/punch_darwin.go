package command

import "os"

// punch would give the bytes of a file from … to back to the disk; here they stay until the run is over.
func punch(*os.File, int64, int64) {}
