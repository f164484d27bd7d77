package core_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/internal/core"
)

type anyStore interface{ Save() string }

type quickStore interface {
	Self() anyStore
	SaveAll() string
}

type full struct{ name string }

func (f *full) Save() string    { return f.name }
func (f *full) SaveAll() string { return f.name }
func (f *full) Self() anyStore  { return f }

type halfWrapper struct{ *full }

func (h halfWrapper) Save() string { return "half" }

type wholeWrapper struct{ *full }

func (w *wholeWrapper) Self() anyStore { return w }

type outer struct{ *wholeWrapper }

type uncomparable struct {
	*full
	_ []string
}

func (u uncomparable) Self() anyStore { return u }

type lost struct{ *full }

func (l *lost) Self() anyStore { return nil }

type plain struct{}

func (plain) Save() string { return "" }

func TestOwnTakesOnlyTheStoresOwnMethods(t *testing.T) {
	inner := &full{"inner"}
	for name, c := range map[string]struct {
		store anyStore
		own   bool
	}{
		"the store itself":               {inner, true},
		"a wrapper without Self":         {halfWrapper{inner}, false},
		"a pointer to it":                {&halfWrapper{inner}, false},
		"a wrapper with Self":            {&wholeWrapper{inner}, true},
		"a wrapper of one with Self":     {&outer{&wholeWrapper{inner}}, false},
		"a store that is not comparable": {uncomparable{full: inner}, false},
		"a Self that returns nil":        {&lost{inner}, false},
		"a store without the interface":  {plain{}, false},
		"no store":                       {nil, false},
	} {
		optional, own := core.Own[anyStore, quickStore](c.store)
		assert.Equal(t, c.own, own, name)
		if own {
			assert.Equal(t, c.store, optional.Self(), name)
		} else {
			assert.Nil(t, optional, name)
		}
	}
}
