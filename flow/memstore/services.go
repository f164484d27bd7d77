package memstore

import (
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

// checkServices refuses a name that looks like that of another service, stored before or used for
// the first time by the same write.
func (w *write) checkServices(op memtable.Operation) error {
	w.newServices = nil
	if w.flow != nil && w.flow.Entity.Version == 0 {
		if err := w.checkService(op, w.flow.Entity.ID, w.flow.Entity.Service); err != nil {
			return err
		}
	}
	last := "" // most rows have the same service
	for _, row := range w.rows {
		n := &row.Entity
		if n.Version != 0 || n.Service == last {
			continue
		}
		if err := w.checkService(op, n.ID, n.Service); err != nil {
			return err
		}
		last = n.Service
	}
	return nil
}

// checkService checks the service of a new entity.
func (w *write) checkService(op memtable.Operation, id uuid.UUID, name string) error {
	s := &w.store.services
	if _, known := s.names[name]; known {
		return nil
	}
	skeleton := flow.ServiceSkeleton(name)
	other, exists := s.bySkeleton[skeleton]
	if !exists {
		other, exists = w.newServices[skeleton]
	}
	if exists && other != name {
		err := &flow.SimilarServiceError{Service: name, Existing: other}
		return memtable.Operation{Name: op.Name, ID: id}.Fail(err)
	}
	if w.newServices == nil {
		w.newServices = map[string]string{}
	}
	w.newServices[skeleton] = name
	return nil
}

func (w *write) putServices() {
	for skeleton, name := range w.newServices {
		w.store.services.names[name] = struct{}{}
		w.store.services.bySkeleton[skeleton] = name
	}
}
