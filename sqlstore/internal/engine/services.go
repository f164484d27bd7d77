package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// needService records the service of a row, for [notificationWriter.addServices], and refuses a new
// name that looks like that of another service. It inserts nothing: another write of the same new
// service would wait for this one, which may be a long import.
func (w *notificationWriter) needService(ctx context.Context, name string) error {
	if _, checked := w.services[name]; checked {
		return nil
	}
	stored, similar, err := w.serviceLike(ctx, name)
	switch {
	case err != nil:
		return err
	case !stored && similar != "":
		return &flow.SimilarServiceError{Service: name, Existing: similar}
	}
	w.services[name] = stored
	return nil
}

// addServices stores the services that are not stored yet. It sorts them, so that two transactions
// do not deadlock.
func (w *notificationWriter) addServices(ctx context.Context) error {
	names := slices.SortedFunc(maps.Keys(w.services), func(a, b string) int {
		return cmp.Or(strings.Compare(flow.ServiceSkeleton(a), flow.ServiceSkeleton(b)), strings.Compare(a, b))
	})
	for _, name := range names {
		if w.services[name] {
			continue
		}
		if err := w.addService(ctx, name); err != nil {
			return err
		}
		w.services[name] = true
	}
	return nil
}

// addService stores the name of a service, unless it is stored. It refuses a new name that looks
// like that of another service.
func (t *tx) addService(ctx context.Context, name string) error {
	skeleton := flow.ServiceSkeleton(name)
	inserted, err := t.exec(ctx, "INSERT INTO flussi.services (name, skeleton, older) SELECT ?, ?, FALSE "+
		"WHERE NOT EXISTS (SELECT 1 FROM flussi.services WHERE name = ? OR skeleton = ?) ON CONFLICT DO NOTHING",
		encode(name), encode(skeleton), encode(name), encode(skeleton))
	if err != nil || inserted == 1 {
		return err
	}
	// Another row has the name or the skeleton, maybe since another transaction inserted it
	// meanwhile.
	stored, similar, err := t.serviceLike(ctx, name)
	switch {
	case err != nil || stored:
		return err
	case similar == "":
		return flussi.ErrConflict
	}
	return &flow.SimilarServiceError{Service: name, Existing: similar}
}

// serviceLike reports whether a service is stored, and returns another one whose name looks like
// it.
func (t *tx) serviceLike(ctx context.Context, name string) (stored bool, similar string, err error) {
	found := ""
	err = t.query(ctx, "SELECT name FROM flussi.services WHERE name = ? OR skeleton = ? ORDER BY name",
		[]any{encode(name), encode(flow.ServiceSkeleton(name))},
		[]any{stringTo(&found)}, func() {
			if found == name {
				stored = true
			} else {
				similar = found
			}
		})
	return stored, similar, err
}
