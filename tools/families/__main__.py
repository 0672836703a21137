"""`python -m tools.families`: see family_trials.py."""

from tools.families.family_trials import main

if __name__ == "__main__":
    main()
