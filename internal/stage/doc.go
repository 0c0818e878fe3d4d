// Package stage writes folders that appear whole or not at all.
//
// [New] makes a folder beside its target under a name that says whose it is; [Folder.Write] and
// [Folder.Create] put files into it; [Folder.Commit] renames it, and [Folder.Discard] leaves nothing.
// [Clean] takes away what writers left behind that were killed, and nothing that somebody still writes.
// Beside that it knows what is left on a disk ([Space]), whether a folder may be written ([Writable]), and
// how to read a file from the disk instead of from memory ([OpenUncached]). The package is a leaf and knows
// nothing of models or studies.
package stage
