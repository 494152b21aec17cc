"""GIVEN: the scenario, its words, its files and its calendar."""
