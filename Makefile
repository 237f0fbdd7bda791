.PHONY: conformance

# RFC 6455 by the Autobahn cases; the report is in target/conformance.
conformance:
	scripts/conformance.sh
