package sqlstore

import (
	"context"
	"sync"

	"github.com/flussi-go/flussi/flow"
)

// services caches names of services that are in the database. They are never deleted there.
type services struct {
	mu    sync.Mutex
	known map[string]struct{}
}

func (s *services) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.known[name]
	return known
}

func (s *services) add(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]struct{}{}
	}
	s.known[name] = struct{}{}
}

// useService inserts a service, unless it exists. It refuses a new name that looks like that of
// another service.
func (t *tx) useService(ctx context.Context, name string) error {
	if t.services.has(name) {
		return nil
	}
	if _, noted := t.noted[name]; noted {
		return nil
	}
	look := flow.ServiceSkeleton(name)
	for try := 0; ; try++ {
		there, other, err := t.service(ctx, name, look)
		switch {
		case err != nil:
			return err
		case there:
			t.services.add(name)
			return nil
		case other != "":
			return &flow.SimilarServiceError{Service: name, Existing: other}
		case try > 0:
			return errConflict
		}
		// It waits for another transaction that inserts a name with this look.
		inserted, err := t.exec(ctx, "INSERT INTO services (name, look, older) VALUES (?, ?, FALSE) ON CONFLICT DO NOTHING", held(name), held(look))
		if err != nil {
			return err
		}
		if inserted == 1 {
			if t.noted == nil {
				t.noted = map[string]struct{}{}
			}
			t.noted[name] = struct{}{}
			return nil
		}
	}
}

// service reports whether a service with the name exists, and returns another one that looks like
// it, or "".
func (t *tx) service(ctx context.Context, name, look string) (there bool, other string, err error) {
	var found string
	err = t.query(ctx, "SELECT name FROM services WHERE look = ? ORDER BY name", []any{held(look)}, []any{wordTo(&found)}, func() {
		if found == name {
			there = true
		} else {
			other = found
		}
	})
	return there, other, err
}

// insertServices inserts the services of all flows and notifications, for a database that had no
// table of services.
func (t *tx) insertServices(ctx context.Context) error {
	var name string
	var names []string
	err := t.query(ctx, "SELECT service FROM flows UNION SELECT service FROM notifications", nil, []any{wordTo(&name)}, func() { names = append(names, name) })
	for _, name := range names {
		if err == nil {
			_, err = t.exec(ctx, "INSERT INTO services (name, look, older) VALUES (?, ?, TRUE) ON CONFLICT DO NOTHING", held(name), held(flow.ServiceSkeleton(name)))
		}
	}
	return err
}
