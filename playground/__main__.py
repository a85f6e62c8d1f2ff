import sys

from playground.launcher import main

if __name__ == "__main__":
    sys.exit(main())
