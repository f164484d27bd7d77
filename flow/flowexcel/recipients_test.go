package flowexcel_test

import (
	"bytes"
	"errors"
	"iter"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/exceltest"
)

func results() []flow.RecipientCheck {
	of := func(n int) flow.Notification {
		return flow.Notification{ID: uuid.MustParse("7cc0c865-87fd-4002-92ec-7952f211640d"), Draft: draft(n)}
	}
	return []flow.RecipientCheck{
		{Notification: of(1), Reachability: flow.ReachabilityYes, Languages: []string{"de_DE", "it_IT"}},
		{Notification: of(2), Reachability: flow.ReachabilityAbsent},
		{Notification: of(3), Reachability: flow.ReachabilityBlocked, Languages: []string{"it_IT"}},
		{Notification: of(4), Reachability: flow.ReachabilityUnknown, Err: &flussi.RemoteError{Kind: flussi.ErrUnavailable}},
	}
}

func TestExportRecipientsHasARowForEachResult(t *testing.T) {
	var file bytes.Buffer
	require.NoError(t, flowexcel.ExportRecipients(t.Context(), &file, exceltest.Given(results()...)))
	f, rows := exceltest.Open(t, file.Bytes())
	const id = "7cc0c865-87fd-4002-92ec-7952f211640d"
	why := flussi.Explain(results()[3].Err)
	require.NotEmpty(t, why)
	assert.Equal(t, [][]string{
		{"Codice fiscale", "Raggiungibilità", "Lingue", "Motivo", "Oggetto", "Riferimento", "UUID"},
		{citizen(1).Reveal(), "Raggiungibile", "de_DE, it_IT", "", "Oggetto riservato 000001", "TARI-1", id},
		{citizen(2).Reveal(), "Non è su App IO", "", "", "Oggetto riservato 000002", "TARI-2", id},
		{citizen(3).Reveal(), "Servizio bloccato", "it_IT", "", "Oggetto riservato 000003", "TARI-3", id},
		{citizen(4).Reveal(), "Non verificato", "", why, "Oggetto riservato 000004", "TARI-4", id},
	}, rows)
	exceltest.CheckTypes(t, f, []string{"A2"}, nil)
}

func TestExportRecipientsReturnsTheErrorOfTheCheck(t *testing.T) {
	failed := errors.New("the check ended")
	var sequence iter.Seq2[flow.RecipientCheck, error] = func(yield func(flow.RecipientCheck, error) bool) {
		if yield(results()[0], nil) {
			yield(flow.RecipientCheck{}, failed)
		}
	}
	assert.ErrorIs(t, flowexcel.ExportRecipients(t.Context(), &bytes.Buffer{}, sequence), failed)
}
