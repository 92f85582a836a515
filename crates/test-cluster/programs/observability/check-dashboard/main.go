// Says whether files are dashboards in the judgement of Grafana's own types: no unknown field, none
// missing, each of its kind, also in the options of panels and in queries.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	failed := false
	for _, file := range os.Args[1:] {
		if problem := check(file); problem != "" {
			fmt.Fprintf(os.Stderr, "%s: %s\n", file, problem)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// What is wrong with a file; empty when nothing is.
func check(file string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	var read dashboard.Dashboard
	// Where all is well, the error is an empty list, which is not nil.
	if err := read.UnmarshalJSONStrict(content); err != nil && err.Error() != "" {
		return err.Error()
	}
	if err := read.Validate(); err != nil {
		return err.Error()
	}
	return ""
}
