package cli

import (
	"context"

	"parfait/study"
	"parfait/tui"
)

// openExplorer shows a study until the person leaves; what runs goes on.
func (a *app) openExplorer(ctx context.Context, s *study.Study) error {
	return tui.Run(ctx, s, tui.Options{Who: who()})
}
