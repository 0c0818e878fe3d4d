// Package mergekit turns recipes into the configurations of mergekit (github.com/arcee-ai/mergekit) and
// back: [Import] reads one, [Export] writes one.
//
// In come a file or a recipe, out go a recipe or a file, with warnings where the two programs compute
// different numbers. What one of them cannot say is refused. Which methods there are in mergekit is
// declared by the methods themselves (method.Info.Mergekit).
package mergekit
