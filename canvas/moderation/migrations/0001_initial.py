
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('canvas', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('category', models.CharField(choices=[('vandalism', 'Painting over other people’s work'), ('hate', 'Hate or harassment'), ('sexual', 'Sexual or violent content'), ('private', 'Somebody’s private details'), ('illegal', 'Something illegal'), ('spam', 'Advertising or spam'), ('other', 'Something else')], max_length=12)),
                ('text', models.TextField(blank=True, max_length=1000)),
                ('x', models.PositiveIntegerField(blank=True, null=True)),
                ('y', models.PositiveIntegerField(blank=True, null=True)),
                ('r', models.PositiveIntegerField(blank=True, null=True)),
                ('seq', models.BigIntegerField(default=0, help_text="The journal's number that is in the picture.")),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('address', models.CharField(blank=True, editable=False, max_length=32)),
                ('weight', models.FloatField(default=1.0, editable=False)),
            ],
            options={
                'ordering': ['at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Salt',
            fields=[
                ('period', models.PositiveIntegerField(primary_key=True, serialize=False)),
                ('secret', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='Case',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('report', 'Report'), ('appeal', 'Appeal'), ('cover', 'Cover')], default='report', max_length=8)),
                ('op', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('x', models.PositiveIntegerField(blank=True, null=True)),
                ('y', models.PositiveIntegerField(blank=True, null=True)),
                ('r', models.PositiveIntegerField(blank=True, null=True)),
                ('score', models.FloatField(default=0.0, help_text='The weights of those who reported it, added up.')),
                ('opened_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.CharField(blank=True, choices=[('acted', 'Something was done'), ('dismissed', 'Nothing wrong'), ('moot', 'No longer there'), ('stands', 'The sanction stands'), ('overturned', 'The sanction was overturned'), ('lifted', 'The sanction was lifted before a decision')], max_length=12)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('last_what', models.CharField(blank=True, editable=False, max_length=120)),
                ('canvas', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='canvas.canvas')),
                ('claimed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='claimed_cases', to=settings.AUTH_USER_MODEL)),
                ('closed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='closed_cases', to=settings.AUTH_USER_MODEL)),
                ('frame', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='canvas.frame')),
                ('last_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('region', models.OneToOneField(blank=True, help_text='Of a cover.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='case', to='canvas.region')),
                ('sanctions', models.ManyToManyField(blank=True, related_name='cases', to='canvas.sanction')),
            ],
            options={
                'ordering': [models.OrderBy(models.F('score'), descending=True), 'opened_at'],
            },
        ),
        migrations.CreateModel(
            name='Appeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(max_length=1000)),
                ('filed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('outcome', models.CharField(blank=True, choices=[('stands', 'The sanction stands'), ('overturned', 'The sanction was overturned'), ('lifted', 'The sanction was lifted before a decision')], max_length=12)),
                ('answer', models.TextField(blank=True, help_text='The person reads it.', max_length=1000)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='appeals_decided', to=settings.AUTH_USER_MODEL)),
                ('issued_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='appeals', to=settings.AUTH_USER_MODEL)),
                ('sanction', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='appeal', to='canvas.sanction')),
                ('case', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='appeal', to='moderation.case')),
            ],
            options={
                'ordering': ['-filed_at'],
            },
        ),
        migrations.CreateModel(
            name='Evidence',
            fields=[
                ('report', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='evidence', serialize=False, to='moderation.report')),
                ('image', models.BinaryField()),
                ('left', models.PositiveIntegerField()),
                ('top', models.PositiveIntegerField()),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
            ],
            options={
                'verbose_name_plural': 'evidence',
            },
        ),
        migrations.AddField(
            model_name='report',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='moderation.case'),
        ),
        migrations.AddField(
            model_name='report',
            name='reporter',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reports', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('text', models.TextField(max_length=1000)),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='notes_written', to=settings.AUTH_USER_MODEL)),
                ('case', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='moderation.case')),
                ('person', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notes_about', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Signal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('rate', 'Strokes per minute'), ('area', 'Area per minute'), ('regular', 'Perfectly regular timing'), ('session', 'Session length'), ('address', 'Many accounts from one address')], max_length=8)),
                ('day', models.DateField(help_text='UTC. The strongest finding of each kind and day is kept.')),
                ('value', models.FloatField()),
                ('limit', models.FloatField(help_text='What a value has to pass to be listed.')),
                ('details', models.JSONField(blank=True, default=dict)),
                ('found_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('seen_at', models.DateTimeField(blank=True, null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='signals', to=settings.AUTH_USER_MODEL)),
                ('seen_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-day', '-value'],
            },
        ),
        migrations.CreateModel(
            name='IpDigest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(choices=[('sign-up', 'Signed up'), ('sign-in', 'Signed in')], max_length=8)),
                ('digest', models.CharField(db_index=True, max_length=32)),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ip_digests', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='CoverVote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('x', models.PositiveIntegerField()),
                ('y', models.PositiveIntegerField()),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('canvas', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cover_votes', to='canvas.canvas')),
                ('region', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='votes', to='canvas.region')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cover_votes', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Act',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name='when')),
                ('by_name', models.CharField(blank=True, max_length=150, verbose_name='who')),
                ('verb', models.CharField(db_index=True, max_length=40, verbose_name='did')),
                ('person_name', models.CharField(blank=True, max_length=150, verbose_name='to')),
                ('what', models.JSONField(default=dict, verbose_name='what')),
                ('why', models.TextField(blank=True, verbose_name='why')),
                ('op', models.UUIDField(db_index=True, default=uuid.uuid4, verbose_name='operation')),
                ('by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='acts', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                ('canvas', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='acts', to='canvas.canvas')),
                ('person', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='acts_about', to=settings.AUTH_USER_MODEL, verbose_name='to')),
                ('undoes', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undone_by', to='moderation.act', verbose_name='undoes')),
            ],
            options={
                'verbose_name': 'act',
                'verbose_name_plural': 'acts',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['canvas', '-id'], name='act_canvas')],
            },
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['closed_at', '-score'], name='moderation__closed__abe152_idx'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('outcome', '')), models.Q(('closed_at__isnull', False), models.Q(('outcome', ''), _negated=True)), _connector='OR'), name='case_closed_with_outcome'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('outcome', '')), models.Q(models.Q(('outcome', ''), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='appeal_decided_at'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['', 'lifted']), ('decided_by', None), ('issued_by', None), models.Q(('decided_by', models.F('issued_by')), _negated=True), _connector='OR'), name='appeal_by_somebody_else', violation_error_message='Who issued a sanction does not decide its appeal.'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('person')), _negated=True), _connector='OR'), name='appeal_not_ones_own', violation_error_message='Nobody decides their own appeal.'),
        ),
        migrations.AddIndex(
            model_name='report',
            index=models.Index(fields=['address', 'at'], name='moderation__address_7abffc_idx'),
        ),
        migrations.AddIndex(
            model_name='report',
            index=models.Index(fields=['reporter', 'at'], name='moderation__reporte_9765c9_idx'),
        ),
        migrations.AddConstraint(
            model_name='note',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('case__isnull', False), ('person', None)), models.Q(('case', None), ('person__isnull', False)), _connector='OR'), name='note_about_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='signal',
            constraint=models.UniqueConstraint(fields=('person', 'kind', 'day'), name='signal_once_a_day'),
        ),
        migrations.AddIndex(
            model_name='covervote',
            index=models.Index(fields=['canvas', 'at'], name='cover_vote_recent'),
        ),
    ]
