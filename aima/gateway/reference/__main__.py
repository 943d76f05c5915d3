"""``python -m aima.gateway.reference``: write what can be derived anew."""

from aima.gateway.reference.write import main

main()
