package machine

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"
)

// tryLimit is how long one port is tried.
const tryLimit = 5 * time.Second

// Network is the way out of this machine. The zero value is the real one.
type Network struct {
	Hosts     func(ctx context.Context, host string) ([]string, error)
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error)
	LookupSRV func(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// Port says whether a port takes a connection from here. Nothing is sent over it. The error is that of the network.
func (n Network) Port(ctx context.Context, host, port string) error {
	dial := n.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	conn, err := dial(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return err
	}
	return conn.Close()
}

// LookupHost gives the addresses of a host.
func (n Network) LookupHost(ctx context.Context, host string) ([]string, error) {
	if n.Hosts != nil {
		return n.Hosts(ctx, host)
	}
	return net.DefaultResolver.LookupHost(ctx, host)
}

// Controllers are the domain controllers of a domain by DNS, by name.
func (n Network) Controllers(ctx context.Context, domain string) ([]string, error) {
	lookup := n.LookupSRV
	if lookup == nil {
		lookup = net.DefaultResolver.LookupSRV
	}
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	_, records, err := lookup(ctx, "ldap", "tcp", "dc._msdcs."+domain)
	if err != nil {
		return nil, err
	}
	var hosts []string
	for _, r := range records {
		hosts = append(hosts, strings.ToLower(strings.TrimSuffix(r.Target, ".")))
	}
	slices.Sort(hosts)
	if hosts = slices.Compact(hosts); len(hosts) == 0 {
		return nil, errors.New("DNS names none")
	}
	return hosts, nil
}
