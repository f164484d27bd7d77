package pagoinretetest

import (
	"context"

	"github.com/flussi-go/flussi/pagoinrete"
)

// CheckRule checks one rule; nil if the store keeps it.
func CheckRule(ctx context.Context, words string, store pagoinrete.Store) *Broken {
	for _, r := range contract {
		if r.words == words {
			return r.check(ctx, store)
		}
	}
	panic("no such rule: " + words)
}
