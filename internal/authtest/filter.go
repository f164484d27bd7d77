package authtest

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
)

// Filters checks a filter's Check field by field.
type Filters[F interface{ Check() error }] struct {
	Invalid  map[string][]F                                // for each field, filters with a value that nothing can have
	Valid    []F                                           // filters that are not refused
	Free     []string                                      // the fields of which every value may be looked for
	Searches map[string]func(t *testing.T, filter F) error // the methods that refuse in the same words
}

// Run runs the checks. It fails for a field that is in neither list, so that none is forgotten.
func (c Filters[F]) Run(t *testing.T) {
	filter := reflect.TypeFor[F]()
	for i := range filter.NumField() {
		name := filter.Field(i).Name
		_, checked := c.Invalid[name]
		assert.True(t, checked != slices.Contains(c.Free, name), "the field %s is to be either checked or free", name)
	}
	for _, valid := range c.Valid {
		assert.NoError(t, valid.Check(), "%+v", valid)
	}
	for field, filters := range c.Invalid {
		for _, filter := range filters {
			err := filter.Check()
			var invalid *flussi.InvalidError
			require.ErrorAs(t, err, &invalid, "%s of %+v", field, filter)
			require.Len(t, invalid.Fields, 1)
			assert.Equal(t, field, invalid.Fields[0].Type)
			for name, search := range c.Searches {
				found := search(t, filter)
				require.ErrorAs(t, found, &invalid, "%s of %+v by %s", field, filter, name)
				assert.Equal(t, flussi.Explain(err), flussi.Explain(found))
			}
		}
	}
}
