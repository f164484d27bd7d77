package pagoinrete_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/authtest"
	"github.com/flussi-go/flussi/pagoinrete"
)

func TestEventFilterRefusesUnknownValues(t *testing.T) {
	w := newWorld(t)
	authtest.Filters[pagoinrete.EventFilter]{
		Invalid: map[string][]pagoinrete.EventFilter{
			"States":     {{States: []pagoinrete.EventState{"boh"}}, {States: []pagoinrete.EventState{pagoinrete.EventNotified, ""}}},
			"Kind":       {{Kind: "boh"}},
			"SchoolYear": {{SchoolYear: -1}, {SchoolYear: 26}, {SchoolYear: 3000}},
			"Text":       {{Text: "ab"}, {Text: "gita\x00"}, {Text: "git\xe0"}},
		},
		Free: []string{"IDs", "Schools", "From", "To", "Discrepancy"},
		Valid: []pagoinrete.EventFilter{
			{}, {Kind: pagoinrete.Fee, SchoolYear: 2026, Text: "gita"}, {Kind: pagoinrete.Donation, Discrepancy: true},
			{States: []pagoinrete.EventState{pagoinrete.EventBlank, pagoinrete.EventDeleted}}, {From: time.Now()},
		},
		Searches: map[string]func(*testing.T, pagoinrete.EventFilter) error{
			"Events": func(t *testing.T, q pagoinrete.EventFilter) error {
				_, err := w.Events(t.Context(), assistant, q, pagoinrete.Page{})
				return err
			},
		},
	}.Run(t)
}

func TestNoticeFilterRefusesUnknownValues(t *testing.T) {
	w := newWorld(t)
	authtest.Filters[pagoinrete.NoticeFilter]{
		Invalid: map[string][]pagoinrete.NoticeFilter{
			"States":    {{States: []pagoinrete.NoticeState{"boh"}}, {States: []pagoinrete.NoticeState{pagoinrete.NoticeNotified, ""}}},
			"Reference": {{Reference: "RIF\x00"}, {Reference: "\xff"}},
		},
		Free:  []string{"IDs", "Event", "Schools", "Debtor", "Payer", "IUVs", "From", "To", "DueBefore", "Visible", "Discrepancy"},
		Valid: []pagoinrete.NoticeFilter{{}, {Reference: "RIF"}, {States: []pagoinrete.NoticeState{pagoinrete.NoticeCancelled}, Visible: true}},
		Searches: map[string]func(*testing.T, pagoinrete.NoticeFilter) error{
			"Notices": func(t *testing.T, q pagoinrete.NoticeFilter) error {
				_, err := w.Notices(t.Context(), assistant, q, pagoinrete.Page{})
				return err
			},
			"AllNotices": func(t *testing.T, q pagoinrete.NoticeFilter) error {
				for _, err := range w.AllNotices(t.Context(), assistant, q) {
					return err
				}
				return nil
			},
		},
	}.Run(t)
}

func TestAPageAndAFilterAreRefusedTogether(t *testing.T) {
	w := newWorld(t)
	_, err := w.Events(t.Context(), assistant, pagoinrete.EventFilter{Kind: "boh"}, pagoinrete.Page{Limit: -1})
	var invalid *flussi.InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Len(t, invalid.Fields, 2)
	require.Equal(t, []string{"Kind", "Limit"}, []string{invalid.Fields[0].Type, invalid.Fields[1].Type})
}
