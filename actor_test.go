package flussi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
)

func TestActor(t *testing.T) {
	assistant := flussi.Actor{ID: "a.bianchi", Roles: []flussi.Role{flussi.AdminAssistant, "archivista"}}
	assert.True(t, assistant.Has(flussi.AdminDirector, flussi.AdminAssistant))
	assert.True(t, assistant.Has("archivista"))
	assert.False(t, assistant.Has(flussi.Principal, flussi.System))
	assert.False(t, assistant.Has())
	assert.False(t, flussi.Actor{}.Has(""))
	assert.NoError(t, assistant.Check())
	err := flussi.Actor{Roles: assistant.Roles}.Check()
	assert.ErrorIs(t, err, flussi.ErrEmpty)
	assert.Equal(t, "Manca l'utente che esegue l'operazione.", flussi.Explain(err))
}

func TestRoleLabels(t *testing.T) {
	for role, want := range map[flussi.Role]string{
		flussi.Operator: "operatore", flussi.System: "sistema", flussi.Principal: "DS",
		flussi.AdminDirector: "DSGA", flussi.AdminAssistant: "A.A.", "archivista": "archivista",
	} {
		assert.Equal(t, want, role.Label())
	}
}
