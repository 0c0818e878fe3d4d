package stage

// FileSystem is what a folder lies on.
type FileSystem struct {
	Name string // as people call it: ext4, NFS, Lustre; a number where it has no name here
	// Local: nobody but this machine has it, so that locks and shared memory hold for everybody who sees the
	// folder. What is not known is not local.
	Local bool
}
