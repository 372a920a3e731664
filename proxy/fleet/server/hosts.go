package server

import (
	"errors"
	"net"
	"strconv"
	"strings"
)

// maxHosts bounds a list of hosts. Three to five are usual; clients learn the others.
const maxHosts = 64

// readHosts reads hosts separated by commas, and returns them as host:port.
func readHosts(text string, f form) ([]string, error) {
	if text == "" {
		return nil, errors.New("want a host: redis://host:6379")
	}
	texts := strings.Split(text, ",")
	switch {
	case f.topology == "" && len(texts) > 1:
		return nil, errors.New("want one host; several are redis+sentinel://host,host/master or redis+cluster://host,host")
	case len(texts) > maxHosts:
		return nil, errors.New("want at most " + strconv.Itoa(maxHosts) + " hosts")
	}
	hosts := make([]string, 0, len(texts))
	for _, text := range texts {
		host, err := readHost(text, f.port())
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, host)
	}
	return hosts, nil
}

// readHost reads host, host:port, [IPv6] or [IPv6]:port.
func readHost(text, port string) (string, error) {
	host := text
	bracketed := strings.HasPrefix(text, "[")
	if bracketed {
		inner, rest, closed := strings.Cut(text[1:], "]")
		if !closed || net.ParseIP(inner) == nil || rest != "" && rest[0] != ':' {
			return "", errors.New("want an IPv6 address in brackets, such as [::1]:6379")
		}
		host = inner
		if rest != "" {
			port = rest[1:]
		}
	} else if before, after, ok := strings.Cut(text, ":"); ok {
		host, port = before, after
		if strings.Contains(after, ":") {
			return "", errors.New("want one host and one port, and an IPv6 address in brackets; the characters : and @ of a password are written as %3A and %40")
		}
	}
	if host == "" {
		return "", errors.New("want a host before each port and between commas")
	}
	if !bracketed && strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return "", errors.New("want a host of letters, digits, dots and hyphens")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return "", errors.New("want a port from 1 to 65535 behind the host")
	}
	return net.JoinHostPort(host, port), nil
}
