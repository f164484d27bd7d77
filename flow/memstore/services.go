package memstore

import (
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/memtable"
)

// services has the names of the services of all flows and notifications.
type services struct {
	names      map[string]struct{}
	bySkeleton map[string]string // a name by its flow.ServiceSkeleton
}

func newServices() services {
	return services{names: map[string]struct{}{}, bySkeleton: map[string]string{}}
}

// write returns the part of a write that stores the names that the write uses for the first
// time. Its Check refuses a name that looks like that of another service, stored before or used
// for the first time by the same write. The flow may be nil.
func (s *services) write(f *flowRow, rows []*notificationRow) memtable.Part {
	return &firstUses{services: s, flow: f, rows: rows}
}

// firstUses is the part of a write that stores the names of services.
type firstUses struct {
	services *services
	flow     *flowRow
	rows     []*notificationRow
	found    map[string]string // the new names by skeleton, which Check finds and Put stores
}

func (u *firstUses) Check(op memtable.Operation) error {
	last := "" // most rows have the same service
	for id, name := range u.uses() {
		if _, known := u.services.names[name]; known || name == last {
			continue
		}
		last = name
		skeleton := flow.ServiceSkeleton(name)
		other, exists := u.services.bySkeleton[skeleton]
		if !exists {
			other, exists = u.found[skeleton]
		}
		if exists && other != name {
			err := &flow.SimilarServiceError{Service: name, Existing: other}
			return memtable.Operation{Name: op.Name, ID: id}.Fail(err)
		}
		if u.found == nil {
			u.found = map[string]string{}
		}
		u.found[skeleton] = name
	}
	return nil
}

func (u *firstUses) Put() {
	for skeleton, name := range u.found {
		u.services.names[name] = struct{}{}
		u.services.bySkeleton[skeleton] = name
	}
}

// uses returns the service of each new entity with the ID of the entity.
func (u *firstUses) uses() iter.Seq2[uuid.UUID, string] {
	return func(yield func(uuid.UUID, string) bool) {
		if f := u.flow; f != nil && f.Entity.Version == 0 && !yield(f.Entity.ID, f.Entity.Service) {
			return
		}
		for _, row := range u.rows {
			if n := &row.Entity; n.Version == 0 && !yield(n.ID, n.Service) {
				return
			}
		}
	}
}
