package main

import (
	"bytes"
	"flag"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDiagram(t *testing.T) {
	for name := range machines() {
		var out bytes.Buffer
		require.NoError(t, run([]string{name}, &out, io.Discard))
		assert.Contains(t, out.String(), "stateDiagram-v2")
		out.Reset()
		require.NoError(t, run([]string{"-format", "dot", name}, &out, io.Discard))
		assert.Contains(t, out.String(), "digraph")
	}
}

func TestDiagramRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		"name one machine of: event, flow, notice, notification": {},
		`no machine "flusso"`:      {"flusso"},
		`no format "png"`:          {"-format", "png", "flow"},
		"flag provided but not de": {"-x", "flow"},
	} {
		var out bytes.Buffer
		assert.ErrorContains(t, run(args, &out, io.Discard), want)
		assert.Empty(t, out.String())
	}
	var help bytes.Buffer
	assert.ErrorIs(t, run([]string{"-h"}, io.Discard, &help), flag.ErrHelp)
	assert.Contains(t, help.String(), "usage: diagram")
}
