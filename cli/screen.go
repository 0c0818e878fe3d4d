package cli

import (
	"context"

	"parfait/study"
)

func (a *app) openExplorer(ctx context.Context, s *study.Study) error { return nil }
