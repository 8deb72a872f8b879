package main

import (
	"errors"
	"path/filepath"
	"testing"
)

// TestWhereTheStateFolderIs by environment; without a home it is asked for.
func TestWhereTheStateFolderIs(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	for what, c := range map[string]struct {
		state string
		env   map[string]string
		home  error
		want  string
	}{
		"home":               {want: filepath.Join(home, ".local", "state", "npsetup")},
		"XDG":                {env: map[string]string{"XDG_STATE_HOME": home}, want: filepath.Join(home, "npsetup")},
		"XDG is not a path":  {env: map[string]string{"XDG_STATE_HOME": "relative"}, want: filepath.Join(home, ".local", "state", "npsetup")},
		"XDG without a home": {env: map[string]string{"XDG_STATE_HOME": home}, home: errors.New("$HOME is not defined"), want: filepath.Join(home, "npsetup")},
		"named":              {state: filepath.Join(home, "x"), env: map[string]string{"XDG_STATE_HOME": home}, want: filepath.Join(home, "x")},
		"no home":            {home: errors.New("$HOME is not defined")},
	} {
		o := options{state: c.state, app: &app{env: func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }, home: func() (string, error) { return home, c.home }}}
		got, err := o.safeState()
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %s, %v", what, got, err)
		}
		if c.want == "" {
			says(t, err.Error(), "there is no place for the run record", "$HOME is not defined")
		}
	}
}
